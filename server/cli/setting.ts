import { type Command, Option } from 'commander'

/** A text as the value that it stands for, or what it must be instead. */
export type Parsed = { readonly value: unknown } | { readonly problem: string }

/** How a {@link Setting} is read. */
export interface SettingOptions {
  /** Whether a variable counts when the option isn't given: `INKWIRE_PATH_PREFIX` for `--path-prefix`. */
  readonly env?: boolean
  /** Whether the command can't do without. */
  readonly mandatory?: boolean
  /** What holds when neither is given; only for the help text. */
  readonly byDefault?: string
  /** Default: takes the text as it is. Not used for an option without a value. */
  readonly parse?: (text: string) => Parsed
}

/**
 * An option of a command that may also come from the environment, and is checked in the same way and words from
 * wherever it comes. (Commander's own `env()` reads the process's variables, and takes `NO_DEMO=0` for a yes.)
 */
export class Setting extends Option {
  readonly variable: string | null
  readonly isNeeded: boolean
  readonly parse: (text: string) => Parsed

  constructor(flags: string, description: string, options: SettingOptions = {}) {
    const { env = false, mandatory = false, byDefault, parse } = options
    const variable = env ? variableOf(flags) : null
    const notes = [
      mandatory && 'required',
      byDefault && `default: ${byDefault}`,
      variable && `env: ${variable}`,
    ].filter(Boolean)
    super(flags, notes.length > 0 ? `${description} (${notes.join(', ')})` : description)
    this.variable = variable
    // Commander has such a thing, too, but complains about it before it looks for arguments, and has no word in the
    // help.
    this.isNeeded = mandatory
    this.parse = parse ?? ((text) => ({ value: text }))
  }
}

/** @example variableOf('--path-prefix <path>') // 'INKWIRE_PATH_PREFIX' */
export const variableOf = (flags: string): string => {
  const long = /--([a-z-]+)/.exec(flags)?.[1] ?? ''
  return `INKWIRE_${long.replaceAll('-', '_').toUpperCase()}`
}

/**
 * Checks the settings of a command that is about to run and takes missing ones from the environment, where an
 * empty variable counts as none.
 *
 * @throws CommanderError through `command.error`, in one line that names the option or variable.
 */
export const applySettings = (command: Command, env: Readonly<Record<string, string | undefined>>): void => {
  for (const option of command.options) {
    if (!(option instanceof Setting)) continue
    const name = option.attributeName()
    if (command.getOptionValueSource(name) === 'cli') {
      const given: unknown = command.getOptionValue(name)
      if (typeof given === 'string') set(command, option, option.long ?? name, given)
      continue
    }
    const text = option.variable === null ? undefined : env[option.variable]
    if (option.variable !== null && text) set(command, option, option.variable, text)
    else if (option.isNeeded) command.error(`error: required option '${option.flags}' not specified`)
  }
}

/**
 * Variables that look like settings and are none of this command's: misspelled ones, most likely, which would go
 * unnoticed otherwise.
 */
export const unknownVariables = (
  command: Command,
  env: Readonly<Record<string, string | undefined>>,
): string[] => {
  const known = new Set(command.options.map((option) => option instanceof Setting && option.variable))
  return Object.keys(env).filter((name) => name.startsWith('INKWIRE_') && env[name] && !known.has(name))
}

const set = (command: Command, option: Setting, label: string, text: string): void => {
  const parsed = option.required ? option.parse(text) : parseSwitch(text, option.negate)
  if ('problem' in parsed) command.error(`error: ${label} ${parsed.problem}, not "${text}"`)
  else command.setOptionValueWithSource(option.attributeName(), parsed.value, 'env')
}

/** `NO_DEMO=1` is `--no-demo`, that is `demo: false`. */
const parseSwitch = (text: string, negate: boolean): Parsed => {
  if (/^(1|true|yes|on)$/i.test(text)) return { value: !negate }
  if (/^(0|false|no|off)$/i.test(text)) return { value: negate }
  return { problem: 'must be 1 or 0' }
}
