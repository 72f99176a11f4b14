//go:build !amd64 && !arm64 && !386 && !loong64 && !ppc64le

package packet

// The writers store values the way the host does, at any address. That is the
// wire's way only where the host is little-endian and allows unaligned access;
// elsewhere the package must not build.
var _ = packetNeedsALittleEndianHostWithUnalignedStores
