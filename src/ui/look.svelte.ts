/** How this browser likes it: remembered here, known to nobody else. */
import type { Shell, Theme } from './services.ts'

export class Look {
  readonly #shell: Shell
  theme = $state.raw<Theme>('auto')
  /** Nothing is animated, and figures change once a second. */
  calm = $state.raw(false)
  /** A phone's screen goes nearly black while it runs; and it stays on. */
  dim = $state.raw(true)
  awake = $state.raw(true)

  constructor(shell: Shell) {
    this.#shell = shell
    const theme = shell.recall('theme')
    this.theme = theme === 'light' || theme === 'dark' ? theme : 'auto'
    this.calm = shell.recall('calm') === 'yes'
    this.dim = shell.recall('dim') !== 'no'
    this.awake = shell.recall('awake') !== 'no'
    shell.paint(this.theme, this.calm)
  }

  setTheme(theme: Theme): void {
    this.theme = theme
    this.#shell.remember('theme', theme === 'auto' ? null : theme)
    this.#shell.paint(theme, this.calm)
  }

  set(name: 'calm' | 'dim' | 'awake', on: boolean): void {
    this[name] = on
    this.#shell.remember(name, on ? 'yes' : 'no')
    this.#shell.paint(this.theme, this.calm)
  }
}
