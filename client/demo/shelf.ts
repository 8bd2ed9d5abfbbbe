/** What a shelf needs to know of a document. */
export interface Shelved {
  readonly name: string
  /** Edits that aren't on the server's disk. */
  readonly unsafeEdits: number
  /** Edits of these that nobody has but this window. */
  readonly fragileEdits: number
  /** Whether it isn't known yet how many these are. */
  readonly loading: boolean
  destroy(): void
}

/**
 * The documents of this window. One that is left is closed once all its edits are safe, and not before: until
 * then it keeps its connection, and whoever comes back to it finds it as it was.
 */
export class Shelf<Doc extends Shelved> {
  readonly #open: (name: string) => Doc
  readonly #documents = new Map<string, Doc>()
  #shown: Doc | null = null

  /** @param open opens a document by its name; what it throws, `show` throws. */
  constructor(open: (name: string) => Doc) {
    this.#open = open
  }

  get shown(): Doc | null {
    return this.#shown
  }

  /** All that are open. */
  get documents(): Iterable<Doc> {
    return this.#documents.values()
  }

  /** Whether a document has edits that aren't safe yet, as far as this window knows. */
  hasUnsafeEdits(name: string): boolean {
    const document = this.#documents.get(name)
    return document !== undefined && (document.unsafeEdits > 0 || document.loading)
  }

  /** Edits that aren't safe yet, of all documents but the one that is shown. */
  get unsafeEditsElsewhere(): number {
    let edits = 0
    for (const document of this.#documents.values())
      if (document !== this.#shown) edits += document.unsafeEdits
    return edits
  }

  /** Edits that would be lost with this window. */
  get fragileEdits(): number {
    let edits = 0
    for (const { fragileEdits } of this.#documents.values()) edits += fragileEdits
    return edits
  }

  /** Opens a document without showing it, for what it has to send; it is closed once that is done. */
  fetch(name: string): void {
    if (!this.#documents.has(name)) this.#documents.set(name, this.#open(name))
  }

  /** Takes a document out to be shown, in place of the one that was. */
  show(name: string): Doc {
    this.#shown = null
    try {
      const document = this.#documents.get(name) ?? this.#open(name)
      this.#documents.set(name, document)
      this.#shown = document
      return document
    } finally {
      this.tidy()
    }
  }

  /** Closes what is neither shown nor needed. To be called whenever edits may have become safe. */
  tidy(): void {
    for (const [name, document] of this.#documents) {
      if (document === this.#shown || this.hasUnsafeEdits(name)) continue
      this.#documents.delete(name)
      document.destroy()
    }
  }
}
