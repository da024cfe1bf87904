/** The lines that are in sight, and no others: thousands of lines cost as much as forty. */
import { useLayoutEffect, useState } from 'react'
import { lineText, type LogLine } from '#shared/log'
import { lineTime } from './log-filter.ts'
import { useFollow, type Following } from './use-follow.ts'

/** Pixels; activity.css has the same. */
const lineHeight = 20
/** Lines drawn above and below what is in sight. */
const margin = 10

interface Props extends Following {
  readonly lines: readonly LogLine[]
}

export function LogLines({ lines, ...following }: Props) {
  const { frame, onScroll } = useFollow<HTMLDivElement>(following)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(400)

  useLayoutEffect(() => {
    const element = frame.current
    if (!element) return undefined
    const observer = new ResizeObserver(() => setHeight(element.clientHeight))
    observer.observe(element)
    return () => observer.disconnect()
  }, [frame])

  const first = Math.max(0, Math.floor(top / lineHeight) - margin)
  const last = Math.min(lines.length, Math.ceil((top + height) / lineHeight) + margin)
  return (
    <div
      ref={frame}
      className="log-lines"
      role="list"
      aria-label="Lines of the log"
      // A scrolled region has to be reachable by the keyboard.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      data-landing="next"
      onScroll={(event) => {
        setTop(event.currentTarget.scrollTop)
        onScroll()
      }}
    >
      {lines.length === 0 && <p className="log-empty secondary">No lines.</p>}
      <div className="log-room" style={{ height: lines.length * lineHeight }}>
        {lines.slice(first, last).map((line, index) => (
          <div
            key={first + index}
            role="listitem"
            aria-setsize={lines.length}
            aria-posinset={first + index + 1}
            className="log-line selectable"
            data-level={line.level}
            style={{ top: (first + index) * lineHeight }}
          >
            <span className="log-time">{lineTime(line.timeMs)}</span>
            <span className="log-level">{line.level}</span>
            <span>{lineText(line)}</span>
          </div>
        ))}
      </div>
    </div>
  )
}
