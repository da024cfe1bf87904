/** A computer is to be left without the rest of its stream: really this one? Cancel has the focus. */
import { Button, Sheet } from '#renderer/components'
import { sameData, useActions, useBoth, type EngineMirror, type ViewState } from '#renderer/store'
import { disconnectWords, leftAs } from './text.ts'

function shownClient({ sessions }: EngineMirror, { sheet }: ViewState) {
  if (sheet?.kind !== 'disconnect-client') return null
  const session = sessions.find(({ sessionId }) => sessionId === sheet.sessionId)
  const client = session?.clients.find(({ clientId }) => clientId === sheet.clientId)
  if (!session || !client) return null
  return { host: client.host, address: client.address, left: leftAs(client, session.phase) }
}

export function DisconnectSheet() {
  const client = useBoth(shownClient, sameData)
  const { closeSheet, disconnectClient } = useActions()
  if (!client) return null
  return (
    <Sheet
      role="alertdialog"
      size="form"
      title={`Disconnect '${client.host}'?`}
      describedBy="disconnect-words"
      onClose={closeSheet}
      actions={
        <>
          <Button autoFocus onPress={closeSheet}>
            Cancel
          </Button>
          <Button look="danger" onPress={() => void disconnectClient()}>
            Disconnect
          </Button>
        </>
      }
    >
      <p id="disconnect-words">{disconnectWords(client, client.left)}</p>
    </Sheet>
  )
}
