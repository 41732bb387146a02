// What AssemblyScript knows by itself, for the sources that also run as TypeScript.
type i32 = number;
type bool = boolean;
