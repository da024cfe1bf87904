/** Resize: the disk inside an image becomes larger or smaller. */
import { useState } from 'react'
import { Button, Form, FormRow, Sheet, Spinner } from '#renderer/components'
import { draftBytes, sizeDraft, useActions, useView, type ViewState } from '#renderer/store'
import { formatBytes, formatCount } from '#shared/units'
import { SizeField } from './size-field.tsx'
import { describeDraftProblem, sizeWanted } from './text.ts'

const resizeSheet = ({ sheet }: ViewState) => (sheet?.kind === 'resize' ? sheet : null)
const resizedImage = ({ sheet, images }: ViewState) =>
  sheet?.kind === 'resize' ? (images.find((image) => image.path === sheet.path) ?? null) : null

export function ResizeSheet() {
  const sheet = useView(resizeSheet)
  const image = useView(resizedImage)
  const actions = useActions()
  const current = image?.info?.sizeBytes ?? null
  const [size, setSize] = useState(() => sizeDraft(current ?? 1e9))
  const [asked, setAsked] = useState(false)
  if (!sheet || !image) return null
  const { sending } = sheet
  const bytes = draftBytes(size)
  const send = () => {
    setAsked(true)
    if (bytes !== null) void actions.startResize(bytes)
  }
  return (
    <Sheet
      size="form"
      title={`Resize '${image.name}'`}
      onClose={actions.closeSheet}
      actions={
        <>
          {sending.state === 'busy' && <Spinner />}
          <Button onPress={actions.closeSheet}>Cancel</Button>
          <Button look="primary" isDisabled={sending.state === 'busy'} onPress={send}>
            Resize
          </Button>
        </>
      }
    >
      <Form onSubmit={send}>
        <FormRow label="Now">
          <span className="selectable">
            {current === null ? 'Not known' : formatBytes(current)}
            {current !== null && <span className="secondary"> · {formatCount(current)} bytes</span>}
          </span>
        </FormRow>
        <SizeField
          label="New size"
          size={size}
          onChange={(typed) => {
            setSize(typed)
            setAsked(false)
          }}
          autoFocus
          error={asked && bytes === null ? sizeWanted : null}
          hint={sizeHint(current, bytes)}
        />
      </Form>
      {sending.state === 'failed' && (
        <p role="alert" className="sheet-problem selectable">
          {describeDraftProblem({ kind: 'error', error: sending.error })}
        </p>
      )}
    </Sheet>
  )
}

function sizeHint(current: number | null, bytes: number | null): string {
  if (current !== null && bytes !== null && bytes < current)
    return 'Nothing that a partition uses is cut off: where that would be, it is refused and the smallest size told.'
  return 'The partitions inside stay as they are; the disk around them changes.'
}
