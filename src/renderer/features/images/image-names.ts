/** Which files an open panel shows at first. A name is only a hint; what a file is, is told by its bytes. */
const endings = /\.(dmg|cdr|sparseimage|sparsebundle|img|iso|raw|bin|dd|gz|bz2|xz|zst)$/i

export const looksLikeImage = (name: string): boolean => endings.test(name)
