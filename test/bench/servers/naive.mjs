/** A relay that neither checks nor stores: what each message costs if nothing is done about it. */
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const rooms = new Map()
const http = createServer()
new WebSocketServer({ server: http, perMessageDeflate: false }).on('connection', (socket, { url }) => {
  const room = rooms.get(url) ?? new Set()
  rooms.set(url, room)
  room.add(socket)
  socket.on('close', () => room.delete(socket))
  socket.on('message', (data) => {
    // A sync step 1 is for the server alone; so that a client is synced at once, it is told that there is nothing.
    if (data[0] === 0 && data[1] === 0) socket.send(Uint8Array.of(0, 1, 2, 0, 0))
    else for (const other of room) if (other !== socket) other.send(data)
  })
})
http.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${http.address().port}`))
