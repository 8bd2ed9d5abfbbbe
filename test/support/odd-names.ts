/** Document names that somebody will use one day, each odd in a way of its own. */
export const ODD_NAMES = [
  'plain',
  'with/slashes/in it',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'a\0b',
  '\0',
  '\u{1f98a} fox',
  'e\u0301',
  'é',
  '\uffff',
  ' ',
  '%2F',
  'x'.repeat(1024),
  '€'.repeat(341),
]
