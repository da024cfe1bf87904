/**
 * A sheet over the window. Esc closes it; so does a press outside, unless it is an alert. The focus goes in and stays in;
 * where it goes afterwards is the focus keeper's business.
 */
import type { ReactNode } from 'react'
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import './sheet.css'

interface Props {
  readonly title: ReactNode
  readonly role?: 'dialog' | 'alertdialog'
  readonly size?: 'narrow' | 'form' | 'wide'
  readonly onClose: () => void
  readonly children: ReactNode
  /** Buttons, right-aligned. */
  readonly actions: ReactNode
  /** Id of the text a screen reader reads with the title. */
  readonly describedBy?: string
}

export function Sheet({
  title,
  role = 'dialog',
  size = 'narrow',
  onClose,
  children,
  actions,
  describedBy,
}: Props) {
  return (
    <ModalOverlay
      className="sheet-overlay"
      isOpen
      isDismissable={role === 'dialog'}
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
    >
      <Modal className={`sheet sheet-${size}`}>
        <Dialog
          className="sheet-dialog"
          role={role}
          {...(describedBy === undefined ? {} : { 'aria-describedby': describedBy })}
        >
          <Heading slot="title" className="sheet-title">
            {title}
          </Heading>
          <div className="sheet-body">{children}</div>
          <div className="sheet-actions">{actions}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
