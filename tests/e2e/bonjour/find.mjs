// Prints the HTTP services that bonjour-service finds within so many ms, as JSON: [{name, port, addresses}].
import { Bonjour } from "bonjour-service";

const found = [];
const bonjour = new Bonjour();
bonjour.find({ type: "http" }, ({ name, port, addresses }) => found.push({ name, port, addresses }));
setTimeout(() => {
  console.log(JSON.stringify(found));
  process.exit(0);
}, Number(process.argv[2]));
