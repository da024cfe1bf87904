/** Equal as plain data: for small lists and records, of which the JSON is the simplest true comparison. */
export const sameData = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
