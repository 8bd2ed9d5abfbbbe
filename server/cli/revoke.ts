import { Revocations, type Revoked } from '../auth/revocations.js'
import { OK } from './context.js'
import type { AddCommand } from './program.js'
import { withExistingDocuments } from './remote.js'
import { dataSetting } from './settings.js'
import { counted, moment, printable, quoted, table } from './table.js'

interface RevokeOptions {
  readonly data?: string
  readonly json?: boolean
}

/** `inkwire revoke USER`: out at once, and no way in with the tokens of up to now. */
export const addRevoke: AddCommand = (program, { io, parts }, done) => {
  program
    .command('revoke')
    .description(
      "Close a user's connections and refuse all tokens that were issued to them up to now, from now on.",
    )
    .argument('<user>', "the user's id: a token's claim sub")
    .addOption(dataSetting())
    .action(async (user: string, { data = './data' }: RevokeOptions) => {
      // Always with the store open, or through the server that has it: two writers would undo each other's list.
      const closed = await withExistingDocuments(parts, data, async (_, via) => {
        if (via.way === 'server') return via.server.revoke(user)
        await (await Revocations.load(data)).revoke(user, Date.now())
        return null
      })
      const outcome = closed === null ? 'no server is running' : `${counted(closed, 'connection')} closed`
      io.stdout.write(`revoked ${quoted(user)}: ${outcome}, tokens of up to now are refused\n`)
      done(OK)
    })
}

/** `inkwire unrevoke USER`: takes it back. */
export const addUnrevoke: AddCommand = (program, { io, parts }, done) => {
  program
    .command('unrevoke')
    .description('Take a revocation back: tokens of before it count again.')
    .argument('<user>', "the user's id")
    .addOption(dataSetting())
    .action(async (user: string, { data = './data' }: RevokeOptions) => {
      const restored = await withExistingDocuments(parts, data, async (_, via) =>
        via.way === 'server' ? via.server.unrevoke(user) : (await Revocations.load(data)).restore(user),
      )
      const name = quoted(user)
      io.stdout.write(restored ? `${name} is no longer revoked\n` : `${name} was not revoked\n`)
      done(OK)
    })
}

/** `inkwire revoked`: who may not come in, whatever their token says. */
export const addRevoked: AddCommand = (program, { io, parts }, done) => {
  program
    .command('revoked')
    .description('Print which users are revoked, and since when.')
    .addOption(dataSetting())
    .option('--json', 'one JSON object a line, with user and since (milliseconds since 1970)')
    .action(async ({ data = './data', json = false }: RevokeOptions) => {
      const all: Revoked[] = []
      await withExistingDocuments(parts, data, async (_, via) => {
        if (via.way === 'folder') all.push(...(await Revocations.load(data)).list())
        else for await (const each of via.server.revoked()) all.push(each)
      })
      io.stdout.write(json ? all.map((each) => `${JSON.stringify(each)}\n`).join('') : tableOf(all))
      done(OK)
    })
}

const tableOf = (all: readonly Revoked[]): string =>
  all.length === 0
    ? 'nobody is revoked\n'
    : table(
        [{ title: 'SINCE' }, { title: 'USER' }],
        all.map(({ user, since }) => [moment(since), printable(user)]),
      )
