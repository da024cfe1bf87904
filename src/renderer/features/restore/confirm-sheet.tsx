/**
 * The second yes. It names the disk and what will be lost; Cancel has the focus, and the button that destroys says what
 * it does. A disk that was never erased here before makes it wait two seconds; where the plan asks for it, the name has
 * to be typed, not pasted. The engine checks what was typed again.
 */
import { useEffect, useState } from 'react'
import { Input, Label, TextField } from 'react-aria-components'
import { Button, CapacityBar, DeviceIcon, diskIcon, diskSegments, Sheet } from '#renderer/components'
import { shownPlan, useActions, useMirror, useView, volumeName, type EngineMirror } from '#renderer/store'
import { isTyped, onlyVolumeOf, type RestorePlan } from '#shared/model'
import { formatBytes } from '#shared/units'
import { describeBus, describeCheck, describeLoss } from '#shared/words'
import { agreementOf, confirmationOf } from './confirmation.ts'
import { confirmTitle, confirmYes, targetName, verifyNote } from './text.ts'

/** How long the button waits the first time a disk is erased. */
const armMs = 2000

const internalShown = (mirror: EngineMirror) => mirror.app?.preferences.showInternalDisks ?? false
const knownDisks = (mirror: EngineMirror) => mirror.app?.preferences.knownDisks

export function ConfirmSheet() {
  const plan = useView((view) => view.plan)
  const shown = shownPlan(plan)
  if (!shown) return null
  return <Confirm key={agreementOf(shown)} plan={shown} current={plan.state === 'ready'} />
}

function Confirm({ plan, current }: { readonly plan: RestorePlan; readonly current: boolean }) {
  const actions = useActions()
  const known = useMirror(knownDisks)
  const identity = plan.target?.disk?.identity ?? null
  const armed = useArmed(identity !== null && known?.includes(identity) === true)
  const [typed, setTyped] = useState('')
  const toType = confirmationOf(plan, { internalShown: useMirror(internalShown) })
  const named = toType === null || isTyped(toType.phrase, typed)
  const name = targetName(plan)
  const note = verifyNote(plan)
  const volume = onlyVolumeOf(plan)
  return (
    <Sheet
      role="alertdialog"
      title={confirmTitle(plan, name)}
      describedBy="confirm-losses"
      onClose={actions.closeSheet}
      actions={
        <>
          <Button autoFocus onPress={actions.closeSheet}>
            Cancel
          </Button>
          <span className="confirm-yes" data-arming={!armed || undefined}>
            <Button
              look="danger"
              isDisabled={!armed || !named || !current}
              onPress={() => void actions.confirmRestore(toType === null ? null : typed)}
            >
              {confirmYes(plan)}
            </Button>
          </span>
        </>
      }
    >
      <TargetPicture plan={plan} />
      <div id="confirm-losses" className="losses">
        <p>{plan.losses.length > 0 ? 'This will be lost:' : 'Nothing was found on it that would be lost.'}</p>
        <ul className="selectable">
          {plan.losses.map((loss) => (
            <li key={`${loss.kind} ${loss.path}`}>{describeLoss(loss)}</li>
          ))}
        </ul>
        {volume !== null && <p>{describeCheck(volume)}.</p>}
        {note !== null && <p>{note}</p>}
      </div>
      {toType !== null && (
        <TextField
          className="type-field"
          value={typed}
          onChange={setTyped}
          onPaste={(event) => event.preventDefault()}
          autoComplete="off"
          spellCheck="false"
        >
          <p className="secondary">{toType.why}</p>
          <Label>
            Type <strong>{toType.phrase}</strong> to go on:
          </Label>
          <Input onDrop={(event) => event.preventDefault()} />
        </TextField>
      )}
    </Sheet>
  )
}

function TargetPicture({ plan }: { readonly plan: RestorePlan }) {
  const { target } = plan
  if (!target) return null
  const { disk } = target
  const facts = [
    target.sizeBytes === null ? null : formatBytes(target.sizeBytes),
    describeBus(target.bus),
    target.path,
  ]
  return (
    <div className="confirm-target">
      <DeviceIcon name={target.kind === 'partition' ? 'volume' : disk ? diskIcon(disk) : 'file'} size={40} />
      <div className="confirm-facts">
        <p className="ellipsis">
          <strong>{target.name}</strong>
          {disk && disk.model !== null && disk.model !== target.name && (
            <span className="secondary"> {disk.model}</span>
          )}
        </p>
        <p className="secondary ellipsis">{facts.filter((fact) => fact !== null).join(' · ')}</p>
      </div>
      {disk && (
        <div className="confirm-bar">
          <CapacityBar segments={diskSegments(disk, volumeName)} legend={3} />
        </div>
      )}
    </div>
  )
}

/** False for the first two seconds, unless the disk is known. */
function useArmed(known: boolean): boolean {
  const [armed, setArmed] = useState(known)
  useEffect(() => {
    if (armed) return undefined
    const timer = setTimeout(() => setArmed(true), armMs)
    return () => clearTimeout(timer)
  }, [armed])
  return armed
}
