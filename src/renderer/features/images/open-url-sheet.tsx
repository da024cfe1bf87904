/** Open URL: an image on a web server, or a multicast stream, becomes the source. A name and a password in the address are never shown again. */
import { useState } from 'react'
import { Button, Form, Sheet, TextInput } from '#renderer/components'
import { useActions } from '#renderer/store'
import { isStreamLocator, withPassword } from '#shared/model'
import { urlProblem } from './url-problem.ts'

export function OpenUrlSheet() {
  const actions = useActions()
  const [url, setUrl] = useState('')
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [asked, setAsked] = useState(false)
  const problem = urlProblem(url)
  const send = () => {
    setAsked(true)
    if (problem !== null) return
    const address = url.trim()
    actions.openUrl(name === '' || isStreamLocator(address) ? address : withPassword(address, name, password))
  }
  return (
    <Sheet
      size="form"
      title="Open a disk image on a server"
      onClose={actions.closeSheet}
      actions={
        <>
          <Button onPress={actions.closeSheet}>Cancel</Button>
          <Button look="primary" onPress={send}>
            Open
          </Button>
        </>
      }
    >
      <Form onSubmit={send}>
        <TextInput
          label="URL"
          type="url"
          value={url}
          placeholder="https://server/images/System.dmg"
          onChange={setUrl}
          autoFocus
          error={asked ? problem : null}
          hint="It is read from there while it is restored; nothing is stored on this computer. A multicast stream is asr://server."
        />
        <TextInput
          label="Name"
          value={name}
          onChange={setName}
          placeholder="Only where the server asks for one"
        />
        <TextInput
          label="Password"
          type="password"
          value={password}
          disabled={name === ''}
          onChange={setPassword}
        />
      </Form>
    </Sheet>
  )
}
