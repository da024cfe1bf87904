const two = (value: number) => String(value).padStart(2, '0')

/** A moment for the name of a file, here: `2026-11-21 18.24`. No colon, which some systems don't take in a name. */
export function fileMoment(ms: number): string {
  const date = new Date(ms)
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${two(date.getHours())}.${two(date.getMinutes())}`
}
