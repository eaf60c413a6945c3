/** The worker's entry: hands the engine to the page. The only file here that says `self`. */
import { expose } from 'comlink'
import { computeService } from './compute-service.ts'

expose(computeService(self.navigator.gpu))
