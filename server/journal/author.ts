/** Longer author ids are cut (see `Entry.author`), characters. */
const LONGEST_AUTHOR = 256

/** An author's id as it is kept: bounded, and without a broken last character. */
export const cutAuthor = (author: string): string =>
  author.length > LONGEST_AUTHOR ? author.slice(0, LONGEST_AUTHOR).replace(/[\uD800-\uDBFF]$/, '') : author
