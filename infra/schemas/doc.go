// Package schemas reads Kafka values that a schema registry describes, in the
// wire format of Confluent's serializers:
//
//	0x00 | id of the schema, 4 bytes | Protobuf: list of message indexes | body
//
// A value is read by the schema that it was written with, which the registry
// keeps under its id, and becomes JSON text as a producer of plain JSON would
// have sent it: what then becomes of it does not depend on the way it came.
//
//	Avro        record ─▶ object; a field whose name nobody knows goes by its alias
//	Protobuf    message ─▶ object; a field may go by its json_name
//	JSON Schema the body, as it is
//
// So a schema may gain and lose optional fields and rename others while we run:
// nothing here is compiled against a version of it.
//
// This is the only room that names the registry's client and the parsers of
// schemas.
package schemas
