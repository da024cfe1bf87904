/** A message across the top of the main panel. `alert` is read out at once; nothing is where `told` says that it was told already. */
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from './button.tsx'
import { StateIcon } from './state-icon.tsx'
import './banner.css'

interface Props {
  readonly tone: 'danger' | 'warning' | 'info'
  readonly title: string
  readonly children?: ReactNode
  readonly actions?: ReactNode
  readonly told?: boolean
  readonly onClose?: () => void
}

export function Banner({ tone, title, children, actions, told = false, onClose }: Props) {
  const role = tone === 'info' ? 'status' : 'alert'
  return (
    <div className="banner" data-tone={tone} role={told ? undefined : role}>
      <StateIcon state={tone === 'info' ? 'info' : tone === 'warning' ? 'warning' : 'failed'} />
      <div className="banner-text selectable">
        <strong>{title}</strong>
        {children}
      </div>
      {actions}
      {onClose && (
        <Button look="quiet" icon aria-label="Close this message" onPress={onClose}>
          <X size={14} aria-hidden />
        </Button>
      )}
    </div>
  )
}
