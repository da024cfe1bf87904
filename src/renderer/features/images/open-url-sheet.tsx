/**
 * Open URL: an image on a web server, or a multicast stream, becomes the source. An address that failed stands there again,
 * to be mended; a name and a password in it are never shown again.
 */
import { useState } from 'react'
import { Button, Form, Sheet, TextInput } from '#renderer/components'
import { urlProblem, useReprise, type SourceChoice } from '#renderer/store'
import { isStreamLocator, isWebLocator, withPassword } from '#shared/model'

export function OpenUrlSheet() {
  const { actions, view } = useReprise()
  const [failed] = useState(() => failedUrl(view.getState().source))
  const [url, setUrl] = useState(failed?.url ?? '')
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
          onChange={(typed) => {
            setUrl(typed)
            setAsked(false)
          }}
          autoFocus={!failed?.wantsName}
          error={asked ? problem : null}
          answers
          hint="It is read from there while it is restored; only where the server gives no parts of a file is it stored here first. A multicast stream is asr://server."
        />
        <TextInput
          label="Name"
          value={name}
          autoFocus={failed?.wantsName === true}
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

/** The address that couldn't be opened, as long as nothing else was chosen. */
function failedUrl(source: SourceChoice | null) {
  if (source?.state !== 'failed') return null
  const { locator: url, error } = source
  return isWebLocator(url) || isStreamLocator(url)
    ? { url, wantsName: error?.code === 'E_NET_PASSWORD' }
    : null
}
