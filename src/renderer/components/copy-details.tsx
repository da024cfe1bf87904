/** The small button beside what a failure is told with. That it was pressed isn't told with all of that again, which may be an alert. */
import { CopyButton } from './copy-button.tsx'
import './copy-details.css'

export function CopyDetails({ text }: { readonly text: () => string }) {
  return (
    <span className="copy-details" aria-live="off">
      <CopyButton label="Copy Details" text={text} />
    </span>
  )
}
