import type { Hono } from 'hono'

/** Lets a tool ask how many documents are lost: `GET /lost` is answered by `{"lost":…}`. */
export const addLost = (app: Hono, lost: () => Promise<number>): Hono =>
  app.get('/lost', async (c) => c.json({ lost: await lost() }))
