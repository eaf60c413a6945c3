/** The worker's entry: hands the engine to the page. The only file here that says `self`. */
import { expose } from 'comlink'
import { trustOwnScripts } from '../src/boot/trusted-types.ts'
import { computeService } from './compute-service.ts'
import { choicesOf } from './tensor/kept-choices.ts'

// Threads of the CPU engine are workers of this worker, and lie beside it.
trustOwnScripts(new URL('..', self.location.href).href)
expose(computeService(self.navigator.gpu, choicesOf(self.indexedDB)))
