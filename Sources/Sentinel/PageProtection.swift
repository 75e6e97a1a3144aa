import Foundation

/// The pages of a guarded buffer, to be closed in the process that runs a kernel: a guard at either end, and those of an
/// input to writing.
public struct PageProtection: Sendable {
    /// All pages, the guards among them.
    public let addresses: Range<UInt>
    /// Whether what lies between them may only be read.
    public let isInput: Bool

    /// Pages at those addresses.
    public init(addresses: Range<UInt>, isInput: Bool) { (self.addresses, self.isInput) = (addresses, isInput) }

    /// The guards alone.
    public var ofGuards: PageProtection { PageProtection(addresses: addresses, isInput: false) }

    /// Closes them in this process, in which all are open; says whether they are there.
    public func close() -> Bool {
        let page = UInt(GuardedArena.page)
        let inner = addresses.lowerBound + page..<addresses.upperBound - page
        return Self.protect(addresses.lowerBound..<inner.lowerBound, PROT_NONE)
            && Self.protect(inner.upperBound..<addresses.upperBound, PROT_NONE)
            && (!isInput || Self.protect(inner, PROT_READ))
    }

    /// Opens all pages at those addresses in this process; says whether they are there.
    public static func open(_ addresses: Range<UInt>) -> Bool { protect(addresses, PROT_READ | PROT_WRITE) }

    private static func protect(_ addresses: Range<UInt>, _ protection: Int32) -> Bool {
        mprotect(UnsafeMutableRawPointer(bitPattern: addresses.lowerBound), addresses.count, protection) == 0
    }
}
