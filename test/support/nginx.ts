/** nginx from Debian with a configuration of our own: on loopback, on a free port, serving one folder; ended by its number. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { program } from '#test/needs'

export interface Nginx extends AsyncDisposable {
  /** `http://127.0.0.1:port`; `folder` is served there. Under `/plain/` it is served without ranges. */
  readonly url: string
}

export async function startNginx(folder: string): Promise<Nginx> {
  const own = await mkdtemp(join(tmpdir(), 'reprise-nginx-'))
  const port = await freePort()
  const configuration = `
    daemon off;
    worker_processes 1;
    pid ${own}/pid;
    error_log ${own}/error.log;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    events { worker_connections 128; }
    http {
      access_log off;
      sendfile on;
      tcp_nopush on;
      client_body_temp_path ${own}/body;
      proxy_temp_path ${own}/proxy;
      fastcgi_temp_path ${own}/fastcgi;
      uwsgi_temp_path ${own}/uwsgi;
      scgi_temp_path ${own}/scgi;
      server {
        listen 127.0.0.1:${port};
        root ${folder};
        location /plain/ { alias ${folder}/; max_ranges 0; }
      }
    }`
  await writeFile(join(own, 'nginx.conf'), configuration)
  const path = program('nginx')
  if (path === null) throw new Error('nginx is not installed')
  const child = spawn(path, ['-c', join(own, 'nginx.conf'), '-p', own, '-e', join(own, 'error.log')], {
    stdio: 'ignore',
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = `http://127.0.0.1:${port}`
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    await rm(own, { recursive: true, force: true })
  }
  for (let tries = 0; !(await answers(url)); tries++) {
    if (tries > 200 || child.exitCode !== null) {
      await stop()
      throw new Error('nginx did not start')
    }
    await sleep(50)
  }
  return { url, [Symbol.asyncDispose]: stop }
}

const answers = (url: string) =>
  new Promise<boolean>((resolve) => {
    get(url, (response) => {
      response.resume()
      resolve(true)
    }).on('error', () => resolve(false))
  })

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
