// Told to the schema library before any schema is made: the page's content security policy forbids generated code.
import { config } from "zod";

config({ jitless: true });
