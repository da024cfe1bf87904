/** Convert, and New Image of three kinds: what it is made of, where it is written, and how. */
import { Button, Form, Sheet, Spinner } from '#renderer/components'
import { useActions, useView, type ViewState } from '#renderer/store'
import { MakeHow } from './make-how.tsx'
import { MakeSubject } from './make-subject.tsx'
import { makeTitle, problemAbout } from './text.ts'

const makeSheet = ({ sheet }: ViewState) => (sheet?.kind === 'make' ? sheet : null)

export function MakeImageSheet() {
  const sheet = useView(makeSheet)
  const actions = useActions()
  if (!sheet) return null
  const { draft, problem, starting } = sheet
  const send = () => void actions.startDraft()
  const refused = problemAbout(problem, 'error')
  return (
    <Sheet
      size="form"
      title={makeTitle(draft)}
      onClose={actions.closeSheet}
      actions={
        <>
          {starting && (
            <span className="sheet-busy secondary" role="status">
              <Spinner />
              {draft.work.kind === 'device' ? 'Waiting for permission…' : 'Starting…'}
            </span>
          )}
          <Button onPress={actions.closeSheet}>Cancel</Button>
          <Button look="primary" isDisabled={starting} onPress={send}>
            {draft.work.kind === 'convert' ? 'Convert' : 'Create'}
          </Button>
        </>
      }
    >
      <Form onSubmit={send}>
        <MakeSubject draft={draft} problem={problem} />
        <MakeHow draft={draft} problem={problem} />
      </Form>
      {refused !== null && (
        <p role="alert" className="sheet-problem selectable">
          {refused}
        </p>
      )}
    </Sheet>
  )
}
