import { openDatabase, type Tables, type Then, transact } from './database.js'
import { sweep } from './store.js'

/** Does something with what lies on this device. */
export const withDatabase = async (body: (tables: Tables, then: Then) => void): Promise<void> => {
  const db = await openDatabase(() => {})
  try {
    await transact(db, body)
  } finally {
    db.close()
  }
}

/** Deletes a document from this device; by its `deviceKey`. */
export const forget = (key: string): Promise<void> =>
  withDatabase((tables, then) => {
    tables.documents.delete(key)
    sweep(tables, then)
  })
