/** What the top dict of a property list holds, however it was written. */

export type PlistValue =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** Something that no key here may have: what it is, in words. */
  | { readonly kind: 'other'; readonly value: string }

export type PlistTop = ReadonlyMap<string, PlistValue>
