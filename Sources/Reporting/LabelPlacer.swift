import Foundation

/// Finds places for labels beside points, so that no two cover each other.
struct LabelPlacer {
    private typealias Box = (left: Double, top: Double, right: Double, bottom: Double)
    private var taken: [Box] = []

    /// A place for `text` of 11 pixels near the point; nil if there is none.
    mutating func place(
        _ text: String, near point: (x: Double, y: Double), within svg: SVG
    ) -> (x: Double, y: Double, anchor: SVG.Anchor)? {
        let width = Double(text.count) * 6.1
        for offset in [0.0, -11, 11, -20, 20] {
            for side in [SVG.Anchor.start, .end] {
                let x = side == .start ? point.x + 9 : point.x - 9
                let y = point.y + 4 + offset
                let left = side == .start ? x : x - width
                let box = (left: left, top: y - 10, right: left + width, bottom: y + 2)
                guard box.left > 64, box.right < svg.width - 4, box.top > 50, box.bottom < svg.height - 52,
                    !taken.contains(where: { overlaps($0, box) })
                else { continue }
                taken.append(box)
                return (x, y, side)
            }
        }
        return nil
    }

    private func overlaps(_ a: Box, _ b: Box) -> Bool {
        a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
    }
}

extension Double {
    /// The angle of a slope that rises by this much over `run`.
    func angle(over run: Double) -> Double { atan2(self, run) }
}
