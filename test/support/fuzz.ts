import { below, pick, seeded } from './random-edits.js'

/** Cases of each kind: a short run by default, a soak with INKWIRE_FUZZ_CASES=10000000. */
export const CASES = Number(process.env.INKWIRE_FUZZ_CASES ?? 20_000)
/** Where it starts; printed with a failure. */
export const SEED = Number(process.env.INKWIRE_SEED ?? 1)
/** Enough for a slow machine. */
export const FUZZ_TIMEOUT_MS = 30_000 + CASES / 5

/** Runs `check` for `count` cases, each with a random source of its own, so that one can be repeated by its number. */
export const fuzz = async (
  count: number,
  check: (random: () => number) => void | Promise<void>,
): Promise<void> => {
  for (let number = 0; number < count; number++) {
    const seed = (SEED * 1_000_003 + number) >>> 0
    try {
      const running = check(seeded(seed))
      if (running) await running
    } catch (cause) {
      throw new Error(`case ${number} of INKWIRE_SEED=${SEED}: ${String(cause)}`, { cause })
    }
  }
}

/** Bytes of any kind, short ones mostly. */
export const anyBytes = (random: () => number, most = 40): Uint8Array =>
  Uint8Array.from({ length: below(random, random() < 0.02 ? most * 20 : most) }, () =>
    // Small numbers are counts, lengths and tags; the others set the high bit of a varUint.
    random() < 0.6 ? below(random, 12) : below(random, 256),
  )

/** A valid case with something wrong: bytes changed, taken away, put in, doubled, or the end cut off. */
export const damaged = (random: () => number, bytes: Uint8Array): Uint8Array => {
  let all = [...bytes]
  for (let i = 1 + below(random, 3); i > 0; i--) {
    const at = below(random, all.length + 1)
    switch (below(random, 6)) {
      case 0:
        all[Math.min(at, Math.max(0, all.length - 1))] = below(random, 256)
        break
      case 1:
        all.splice(at, 1 + below(random, 3))
        break
      case 2:
        all.splice(at, 0, ...anyBytes(random, 4))
        break
      case 3:
        all.splice(at, 0, ...all.slice(at, at + below(random, 10)))
        break
      case 4:
        all = all.slice(0, at)
        break
      default:
        all.splice(
          at,
          0,
          ...pick(random, [
            [0xff, 0xff, 0xff, 0xff, 0x0f],
            [0x80],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
          ]),
        )
    }
  }
  return Uint8Array.from(all)
}
