/** All that is known of one client. */
import { Button, CopyButton, Facts, Sheet } from '#renderer/components'
import { sameData, useActions, useBoth, type EngineMirror, type ViewState } from '#renderer/store'
import { isSessionOver } from '#shared/model'
import { clientFacts, clientReport } from './client-report.ts'

function shownClient({ sessions }: EngineMirror, { sheet }: ViewState) {
  if (sheet?.kind !== 'stream-client') return null
  const session = sessions.find(({ sessionId }) => sessionId === sheet.sessionId)
  const client = session?.clients.find(({ clientId }) => clientId === sheet.clientId)
  return session && client
    ? { client, around: { blocks: session.blocks, over: isSessionOver(session.phase) } }
    : null
}

export function ClientSheet() {
  const shown = useBoth(shownClient, sameData)
  const { closeSheet } = useActions()
  if (!shown) return null
  const { client, around } = shown
  return (
    <Sheet
      title={client.host}
      onClose={closeSheet}
      actions={
        <>
          <CopyButton label="Copy Details" text={() => clientReport(client, around)} />
          <Button autoFocus onPress={closeSheet}>
            Done
          </Button>
        </>
      }
    >
      <Facts layout="rows" facts={clientFacts(client, around)} />
    </Sheet>
  )
}
