package streamflow

// Framed reports whether value is in the wire format of a schema registry: a
// zero byte, the id of a schema in four bytes, and what that schema describes.
// No JSON text begins with a zero byte.
func Framed(value []byte) bool { return len(value) > 0 && value[0] == 0 }

// ErrNoRegistry refuses a value that is [Framed] where no registry is set.
var ErrNoRegistry error = reject(ReasonNoRegistry,
	"the value is in the wire format of a schema registry (it begins with a zero byte), and no registry is set: set SCHEMA_REGISTRY_URL, and replay it")

// maxFrameBytes is the most that stands before what a schema describes.
const maxFrameBytes = 64

// CheckFramed refuses a framed value that is too large, whatever it says.
func CheckFramed(value []byte) error {
	if len(value) > MaxRecordBytes+maxFrameBytes {
		return reject(ReasonTooLarge, "%d bytes, the limit is %d", len(value), MaxRecordBytes)
	}
	return nil
}

// Member is a member that the schema of a route knows.
type Member struct {
	Name     string
	Required bool
}

// members lists names, of which the first so many are required.
func members(required int, names ...string) []Member {
	all := make([]Member, len(names))
	for i, name := range names {
		all[i] = Member{name, i < required}
	}
	return all
}
