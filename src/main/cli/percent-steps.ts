/** A percent in steps of 2, as asr counts: each step once, none left out. */

/** Returns a function that takes the percent now and answers the steps reached since it was last asked. */
export function createPercentSteps(): (percent: number) => readonly number[] {
  let reached = 0
  return (percent) => {
    const steps: number[] = []
    for (; reached + 2 <= Math.min(percent, 100); reached += 2) steps.push(reached + 2)
    return steps
  }
}
