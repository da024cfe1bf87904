/** Who is receiving, in order of concern. The first hundred are drawn until all are asked for: a thousand rows take their time. */
import { useCallback, useState, type MouseEvent } from 'react'
import { Button, ContextMenu, type ContextMenuPlace, type MenuGroup } from '#renderer/components'
import { hostAheadMs, inOrderOfConcern, useActions, useMirror } from '#renderer/store'
import { isSessionOver, type SessionState } from '#shared/model'
import { formatCount } from '#shared/units'
import { isStopped } from '#shared/words'
import { clientLog, clientReport } from './client-report.ts'
import { ClientRow } from './client-row.tsx'
import { leftAs, leftWords } from './text.ts'

const fewRows = 100

interface OpenMenu {
  readonly clientId: string
  readonly at: ContextMenuPlace
}

export function ClientTable({ session }: { readonly session: SessionState }) {
  const aheadMs = useMirror(hostAheadMs)
  const [all, setAll] = useState(false)
  const [menu, setMenu] = useState<OpenMenu | null>(null)
  const openMenu = useCallback((clientId: string, event: MouseEvent<HTMLButtonElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    // A click of no button came from the keyboard.
    setMenu({ clientId, at: { x: box.left, y: box.bottom, byKeyboard: event.detail === 0 } })
  }, [])
  const clients = inOrderOfConcern(session.clients)
  const shown = all ? clients : clients.slice(0, fewRows)
  return (
    <div className="clients" role="region" aria-label="Clients">
      <table>
        <Head />
        <tbody>
          {shown.map((client) => (
            <ClientRow
              key={client.clientId}
              client={client}
              blocks={session.blocks}
              over={isSessionOver(session.phase)}
              hostAheadMs={aheadMs}
              onMenu={openMenu}
            />
          ))}
        </tbody>
      </table>
      {clients.length === 0 && (
        <p className="clients-empty secondary">
          {isSessionOver(session.phase) ? 'No computer joined.' : 'No computer has joined yet.'}
        </p>
      )}
      {shown.length < clients.length && (
        <p className="clients-empty">
          <Button onPress={() => setAll(true)}>Show All {formatCount(clients.length)} Clients</Button>
        </p>
      )}
      {menu && <ClientMenu session={session} menu={menu} onClose={() => setMenu(null)} />}
    </div>
  )
}

const Head = () => (
  <thead>
    <tr>
      <th scope="col">Client</th>
      <th scope="col" className="clients-state">
        State
      </th>
      <th scope="col" className="client-progress">
        Progress
      </th>
      <th scope="col" className="clients-number clients-loss">
        Loss
      </th>
      <th scope="col" className="clients-number clients-rate">
        Write rate
      </th>
      <th scope="col" className="clients-number clients-seen">
        Seen
      </th>
      <th scope="col" className="clients-more">
        <span className="visually-hidden">Actions</span>
      </th>
    </tr>
  </thead>
)

interface MenuProps {
  readonly session: SessionState
  readonly menu: OpenMenu
  readonly onClose: () => void
}

function ClientMenu({ session, menu, onClose }: MenuProps) {
  const actions = useActions()
  const { clientId, at } = menu
  const client = session.clients.find((each) => each.clientId === clientId)
  if (!client) return null
  const over = client.state === 'done' || client.state === 'failed' || isStopped(client.state)
  const around = { blocks: session.blocks, over: isSessionOver(session.phase) }
  const copy = (text: string) => navigator.clipboard.writeText(text).catch(() => undefined)
  const copyLog = async () => {
    const changes = await actions.clientLog(session.sessionId, clientId)
    await copy(clientLog(client, changes, around))
  }
  const groups: readonly MenuGroup[] = [
    {
      id: 'look',
      // Rows change places: whose menu this is can't be told from where it stands.
      title: client.host,
      entries: [
        {
          id: 'details',
          label: 'Details…',
          run: () => actions.openClient(session.sessionId, clientId),
        },
        { id: 'copy', label: 'Copy Details', run: () => void copy(clientReport(client, around)) },
        {
          id: 'copy-log',
          label: 'Copy Log',
          description: 'Its last changes, with the times',
          run: () => void copyLog(),
        },
      ],
    },
    {
      id: 'end',
      entries: [
        {
          id: 'disconnect',
          label: 'Disconnect…',
          description: over ? undefined : leftWords[leftAs(client, session.phase)],
          disabled: over || isSessionOver(session.phase),
          run: () => actions.askDisconnect(session.sessionId, clientId),
        },
      ],
    },
  ]
  return <ContextMenu at={at} label={client.host} groups={groups} onClose={onClose} />
}
