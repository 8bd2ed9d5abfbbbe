/** Where chance comes from: at least 0, less than 1, like `Math.random`. */
export type Random = () => number

const QUALITIES =
  'amber brave bright calm clear clever copper crimson curious eager gentle golden happy honest ivory jolly keen kind lively lucky mellow nimble patient proud quick quiet rosy silver steady sunny swift tidy warm wise witty'.split(
    ' ',
  )
const ANIMALS =
  'badger beaver bison crane curlew deer dolphin falcon finch fox gecko hare heron ibex jay kestrel koala lark lynx magpie marten mole newt otter owl panda plover puffin raven robin seal stork swan tapir thrush vole walrus wren'.split(
    ' ',
  )
const PLACES =
  'bay beach bridge brook canyon cliff cove creek dune field fjord forest garden glade grove harbor hill island lagoon lake marsh meadow mill orchard peak pond reef ridge river shore spring stream summit tide trail valley wharf wood'.split(
    ' ',
  )
/** Without vowels, so that no word comes out, and without what looks alike. */
const LETTERS = [...'bcdfghjkmnpqrstvwxz23456789']

const pick = (list: readonly string[], random: Random): string =>
  list[Math.floor(random() * list.length)] ?? ''

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/**
 * A name for somebody who hasn't said theirs.
 *
 * @example personName(Math.random) // 'Quiet Heron'
 */
export const personName = (random: Random): string =>
  `${capitalized(pick(QUALITIES, random))} ${capitalized(pick(ANIMALS, random))}`

/**
 * A name for a new document that one can say on the phone, and that nobody else is likely to have got.
 *
 * @example documentName(Math.random) // 'calm-river-7kx2'
 */
export const documentName = (random: Random): string => {
  const tail = Array.from({ length: 4 }, () => pick(LETTERS, random)).join('')
  return `${pick(QUALITIES, random)}-${pick(PLACES, random)}-${tail}`
}

/**
 * What stands for a name in a small circle: the first characters of its first and last word.
 *
 * @example initials('Ada King Lovelace') // 'AL'
 */
export const initials = (name: string): string => {
  const words = name.trim().split(/\s+/)
  const [first = '', last = ''] = [words[0], words.length > 1 ? words.at(-1) : '']
  return [first, last].map((word) => firstCharacter(word).toUpperCase()).join('')
}

/** What a reader takes for one character may be many to a computer. */
const firstCharacter = (word: string): string => {
  for (const { segment } of new Intl.Segmenter().segment(word)) return segment
  return ''
}
