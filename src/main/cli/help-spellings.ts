/** What asks for help instead of the work. */
export const helpSpellings: readonly string[] = ['--help', '-help', '-h']
