/** What most people never need, behind a quiet line that opens it. What is in it keeps its state while it is closed. */
import { ChevronRight } from 'lucide-react'
import { useRef, type ReactNode } from 'react'
import { Button, Disclosure as AriaDisclosure, DisclosurePanel } from 'react-aria-components'
import './disclosure.css'

interface Props {
  readonly label: string
  /** Beside the label, in both states: what is set in there. */
  readonly summary?: ReactNode
  readonly open: boolean
  readonly onChange: (open: boolean) => void
  readonly children: ReactNode
}

export function Disclosure({ label, summary, open, onChange, children }: Props) {
  const whole = useRef<HTMLDivElement>(null)
  return (
    <AriaDisclosure
      ref={whole}
      className="disclosure"
      isExpanded={open}
      onExpandedChange={(now) => {
        onChange(now)
        // It may open below the edge of what scrolls.
        if (now) requestAnimationFrame(() => whole.current?.scrollIntoView({ block: 'nearest' }))
      }}
    >
      <Button slot="trigger" className="disclosure-line">
        <ChevronRight size={13} strokeWidth={2.25} aria-hidden />
        <span>{label}</span>
        {summary && <span className="disclosure-summary ellipsis">{summary}</span>}
      </Button>
      <DisclosurePanel className="disclosure-panel">{children}</DisclosurePanel>
    </AriaDisclosure>
  )
}
