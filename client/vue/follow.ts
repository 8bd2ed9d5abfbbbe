import { onMounted, type ShallowRef, shallowRef, watch } from 'vue'
import type { Source } from '../frameworks/sources.js'

/** What a composable gives: `.value` is replaced whenever something changes. */
export type Followed<Value> = Readonly<ShallowRef<Value>>

/** Follows whatever source there is now, from when the component is mounted until it goes. */
export const follow = <Value>(source: () => Source<Value>): Followed<Value> => {
  const value: ShallowRef<Value> = shallowRef(source().initial)
  onMounted(() =>
    watch(
      source,
      ({ get, subscribe }, _, onCleanup) => {
        const take = (): void => {
          value.value = get()
        }
        onCleanup(subscribe(take))
        take()
      },
      { immediate: true },
    ),
  )
  return value
}
