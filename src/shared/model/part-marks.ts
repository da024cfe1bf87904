/**
 * A strip of marks says how much of an image is there, or right: one for each fiftieth of it, from its beginning. `.` all of it, `x` nothing,
 * `-` a part, space: not known.
 */
export const partMarks = 50

const pattern = new RegExp(`^[.x -]{${partMarks}}$`)

/** Whether `text` is such a strip. */
export const isPartMarks = (text: string): boolean => pattern.test(text)
