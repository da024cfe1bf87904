/** The password of an encrypted image, or of a stream. A wrong one is told in place; a right one is kept until Reprise ends. */
import { useState } from 'react'
import { Button, DeviceIcon, Form, Sheet, Spinner, TextInput } from '#renderer/components'
import { useActions, useView, type Sending, type ViewState } from '#renderer/store'
import { isStreamLocator } from '#shared/model'
import { describeError } from '#shared/words'

const passwordSheet = ({ sheet }: ViewState) => (sheet?.kind === 'password' ? sheet : null)

export function PasswordSheet() {
  const sheet = useView(passwordSheet)
  const actions = useActions()
  const [password, setPassword] = useState('')
  if (!sheet) return null
  const { sending, name } = sheet
  const stream = isStreamLocator(sheet.path)
  const send = () => {
    if (password !== '' && sending.state !== 'busy') void actions.unlock(password)
  }
  return (
    <Sheet
      title={
        <span className="info-title">
          <DeviceIcon name={stream ? 'stream' : 'image'} size={40} />
          <span>Unlock '{name}'</span>
        </span>
      }
      onClose={actions.closeSheet}
      actions={
        <>
          {sending.state === 'busy' && (
            <span className="sheet-busy secondary" role="status">
              <Spinner />
              Unlocking…
            </span>
          )}
          <Button onPress={actions.closeSheet}>Cancel</Button>
          <Button look="primary" isDisabled={password === '' || sending.state === 'busy'} onPress={send}>
            Unlock
          </Button>
        </>
      }
    >
      <p>
        {stream
          ? "The server lets in only who knows the stream's password."
          : 'The image is encrypted. Give its password to open it.'}
      </p>
      <Form onSubmit={send}>
        <TextInput
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          autoFocus
          error={problemOf(sending)}
          answers
          hint="Reprise keeps it until it ends, and never writes it down."
        />
      </Form>
    </Sheet>
  )
}

function problemOf(sending: Sending): string | null {
  if (sending.state !== 'failed') return null
  if (sending.error.code === 'E_SRC_PASSWORD' || sending.error.code === 'E_MC_PASSWORD')
    return "This isn't the password. Try again."
  const { what, why } = describeError(sending.error)
  return why === null ? what : `${what} ${why}`
}
