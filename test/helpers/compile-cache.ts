import module from 'node:module';
import {fileURLToPath} from 'node:url';

// Each test file is a process of its own, and most of them begin with the whole gateway. Ava sets NODE_COMPILE_CACHE before a process
// starts, so that its own modules are kept too; here the path is made whole, for children that run in another folder.
const folder = fileURLToPath(new URL('../../node_modules/.cache/sallyport', import.meta.url));
module.enableCompileCache(folder);
process.env.NODE_COMPILE_CACHE = folder;
