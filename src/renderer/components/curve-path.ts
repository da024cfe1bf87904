/** A row of figures as an SVG path. Pure. */

interface Box {
  readonly width: number
  readonly height: number
  /** Figures that fill the width; fewer begin at the left. */
  readonly room: number
  /** What the top edge stands for, where that is more than the largest figure needs. */
  readonly top?: number
}

/** The largest figure reaches nearly to the top, zero lies on the bottom line. Needs at least one figure. */
export function curvePath(figures: readonly number[], { width, height, room, top: least = 0 }: Box): string {
  const top = Math.max(Math.max(...figures, 1) * 1.1, least)
  const points = figures.map((figure, index) => {
    const x = (index / (room - 1)) * width
    const y = height - (figure / top) * height
    return `${round(x)} ${round(y)}`
  })
  return `M${points.join('L')}`
}

const round = (value: number) => Math.round(value * 10) / 10
