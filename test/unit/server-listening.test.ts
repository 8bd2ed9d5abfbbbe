import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { listenAt } from '../../server/listening.js'

const open: { close(): unknown }[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

const http = () => {
  const server = createServer((_request, response) => response.end('here'))
  open.push(server)
  return server
}

const hasIPv6 = await new Promise<boolean>((resolve) => {
  const server = createTcpServer()
  server.once('error', () => resolve(false))
  server.listen(0, '::1', () => server.close(() => resolve(true)))
})

describe('listenAt', () => {
  it.each(['127.0.0.1', 'localhost', ...(hasIPv6 ? ['::1'] : [])])(
    '%s: gives a URL that works',
    async (host) => {
      const address = await listenAt(http(), host, 0)
      expect(address).toMatchObject({ host, port: expect.any(Number) })
      expect(await (await fetch(address.url)).text()).toBe('here')
    },
  )

  it('fails with Node’s own error when somebody else has the port', async () => {
    const first = http()
    await listenAt(first, '127.0.0.1', 0)
    const { port } = first.address() as AddressInfo
    await expect(listenAt(http(), '127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
