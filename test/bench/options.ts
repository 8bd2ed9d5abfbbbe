import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Name } from './contenders.js'
import { NAMES } from './line.js'

/** What `npm run bench` is asked to do. */
export interface Options {
  /** Only the lines that are part of the quick run, one round of each. */
  readonly quick: boolean
  /** Names of lines; all if undefined. */
  readonly only?: readonly string[]
  /** Who takes part; default: all. */
  readonly against: readonly Name[]
  /** A folder for CPU profiles of the servers. */
  readonly profile?: string
  /** Instead of the table: a document's cost over 2 million edits. */
  readonly lifetime: boolean
  /** Of the benchmark's own: what a process of joiners is to do, JSON. */
  readonly joiners?: string
}

/** A list, separated by commas, of what there is. */
const among =
  <Choice extends string>(choices: readonly Choice[]) =>
  (text: string): Choice[] =>
    text.split(',').map((name) => {
      const found = choices.find((choice) => choice === name)
      if (found === undefined) throw new InvalidArgumentError(`There are ${choices.join(', ')}.`)
      return found
    })

/**
 * Reads the command line.
 *
 * @param args without program and script.
 * @param lines names of all lines.
 * @param say takes help and complaints; default: the terminal.
 * @returns the exit code if there is nothing to do: it was help that was asked for, or something there isn't.
 * @example
 *   parseOptions(['--only', 'burst,idle', '--against', 'inkwire,naive'], ['burst', 'idle', 'paper'])
 */
export const parseOptions = (
  args: readonly string[],
  lines: readonly string[],
  say?: (text: string) => void,
): Options | number => {
  const program = new Command('npm run bench --')
    .description(
      'Inkwire beside its peers, every server with its storage on, on this machine. Prints a table and says which\n' +
        'targets hold; a full run writes test/bench/results/ and the table of the README. Exit code 1 if a load failed\n' +
        'its checks.',
    )
    .option('--quick', 'less than 2 minutes instead of 20 to 30', false)
    .option('--only <lines>', lines.join(', '), among(lines))
    .addOption(
      new Option('--against <servers>', 'who takes part')
        .default(NAMES, NAMES.join(','))
        .argParser(among(NAMES)),
    )
    .option('--profile <folder>', 'a CPU profile of each server of ours')
    .option('--lifetime', 'instead: what an edit costs over 2 million edits of a document', false)
    .addOption(new Option('--joiners <json>').hideHelp())
    .allowExcessArguments(false)
    .exitOverride()
  if (say) program.configureOutput({ writeOut: say, writeErr: say })
  try {
    return program.parse(args, { from: 'user' }).opts<Options>()
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
}
