/** What can be done with a stream beside others: its place among those that clients are offered who name none. */
import { ContextMenu, withAlt, type ContextMenuPlace } from '#renderer/components'
import { offered, sameData, useActions, useBoth, type EngineMirror } from '#renderer/store'

interface Props {
  readonly sessionId: string
  readonly at: ContextMenuPlace
  readonly onClose: () => void
}

const order = ({ sessions }: EngineMirror) =>
  offered(sessions).map(({ sessionId, settings }) => ({ sessionId, name: settings.name }))

export function SessionMenu({ sessionId, at, onClose }: Props) {
  const sessions = useBoth(order, sameData)
  const { moveSession } = useActions()
  const place = sessions.findIndex((session) => session.sessionId === sessionId)
  const session = sessions[place]
  if (!session) return null
  const move = (way: 'up' | 'down') => () => void moveSession(sessionId, way)
  return (
    <ContextMenu
      at={at}
      label={session.name}
      onClose={onClose}
      groups={[
        {
          id: 'order',
          title: 'Computers that name no stream get the first',
          entries: [
            {
              id: 'up',
              label: 'Move Up',
              shortcut: withAlt('↑'),
              disabled: place === 0,
              run: move('up'),
            },
            {
              id: 'down',
              label: 'Move Down',
              shortcut: withAlt('↓'),
              disabled: place === sessions.length - 1,
              run: move('down'),
            },
          ],
        },
      ]}
    />
  )
}
