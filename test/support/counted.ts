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
