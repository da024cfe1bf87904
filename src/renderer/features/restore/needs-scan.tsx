/** In the preflight: the source wasn't scanned, and could be now. While it is scanned to go on, it says so. */
import { unreachable } from '#shared/errors'
import { Button, Spinner, StateIcon } from '#renderer/components'
import { isConnected, useActions, useBoth, useMirror } from '#renderer/store'
import { scanNeed } from './scan-need.ts'

export function NeedsScan() {
  const need = useBoth(scanNeed)
  const connected = useMirror(isConnected)
  const actions = useActions()
  switch (need) {
    case 'none':
      return null
    case 'scan':
    case 'elsewhere':
      return (
        <li className="needs-scan" data-state="warning">
          <StateIcon state="warning" />
          <span>
            <strong>Needs scan.</strong> Without one the copy can't be verified.
          </span>
          {need === 'scan' && (
            <Button isDisabled={!connected} onPress={() => void actions.scanSource()}>
              Scan Now
            </Button>
          )}
        </li>
      )
    case 'scanning':
    case 'going-on':
      return (
        <li className="needs-scan">
          <Spinner />
          <span>
            <strong>Scanning the source…</strong>
            {need === 'going-on' && ' Then you are asked whether to erase.'}
          </span>
        </li>
      )
    default:
      return unreachable(need)
  }
}
