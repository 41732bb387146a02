import module from 'node:module';
import {fileURLToPath} from 'node:url';

/** Where the launcher keeps it too: each test file is a process of its own, and most of them begin with the whole gateway. */
module.enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/sallyport', import.meta.url)));
