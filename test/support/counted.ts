/** A list that counts how often an element of it is looked at: what something costs, whatever the machine does besides. */
export const counted = <T>(
  list: readonly T[],
): { readonly list: readonly T[]; readonly looks: () => number } => {
  let looks = 0
  const get = (target: readonly T[], key: string | symbol): unknown => {
    if (typeof key === 'string' && /^\d+$/.test(key)) looks++
    return Reflect.get(target, key)
  }
  return { list: new Proxy(list, { get }), looks: () => looks }
}

/** The same for bytes. Views of them aren't counted, only their lengths: what is copied is looked at once. */
export const countedBytes = (
  bytes: Uint8Array,
): { readonly bytes: Uint8Array; readonly looks: () => number } => {
  let looks = 0
  const get = (target: Uint8Array, key: string | symbol): unknown => {
    if (key === 'subarray') {
      return (from: number, to: number): Uint8Array => {
        const view = target.subarray(from, to)
        looks += view.length
        return view
      }
    }
    if (typeof key === 'string' && /^\d+$/.test(key)) looks++
    return Reflect.get(target, key)
  }
  return { bytes: new Proxy(bytes, { get }), looks: () => looks }
}
