// SPDX-License-Identifier: GPL-3.0-or-later
//
// The slot power switches of the emulated board, as the firmware of a machine
// that can reach D3cold would describe them. Loaded beside QEMU's own DSDT with
// -acpitable; QEMU names a root port after its device and function, S28 is 05.0.
//
// Each switch writes 0x80 | (device number << 1) | on to one port that the virtual
// lab listens on; the upper bit tells it from text. What real boards do differently:
// - _ON also waits for the supply, starts the reference clock, releases PERST#
//   and waits for the link, _OFF does the reverse: tens of milliseconds, not one
//   write. They drive a GPIO or ask the embedded controller.
// - _STA often returns what the last method left behind, as here; a good one
//   reads the supply's power-good line.
// - The root port has PCI power management of its own, and _S0W and _PRW say
//   how deep it may sleep and still be woken. Without _PRW a wake is lost.
// - One switch often feeds two slots, or a slot and something on the board:
//   then it stays on until the last user lets go.

DefinitionBlock ("slots.aml", "SSDT", 2, "COLDRG", "CRSLOTS", 0x00000001)
{
    External (\_SB.PCI0.S28, DeviceObj)
    External (\_SB.PCI0.S30, DeviceObj)
    External (\_SB.PCI0.S38, DeviceObj)
    External (\_SB.PCI0.S40, DeviceObj)

    Scope (\_SB)
    {
        OperationRegion (CRIO, SystemIO, 0x07A0, One)
        Field (CRIO, ByteAcc, NoLock, WriteAsZeros)
        {
            CRSW, 8
        }
    }

    // An empty slot has no node, and a Scope without one is an error.
    If (CondRefOf (\_SB.PCI0.S28))
    {
        Scope (\_SB.PCI0.S28)
        {
            PowerResource (CRP5, 0x00, 0x0000)
            {
                Name (CRON, One)
                Method (_STA, 0, NotSerialized) { Return (CRON) }
                Method (_ON, 0, Serialized) { CRON = One   CRSW = 0x8B }
                Method (_OFF, 0, Serialized) { CRON = Zero   CRSW = 0x8A }
            }

            Name (_PR0, Package () { CRP5 })
            Name (_PR3, Package () { CRP5 })
        }
    }

    If (CondRefOf (\_SB.PCI0.S30))
    {
        Scope (\_SB.PCI0.S30)
        {
            PowerResource (CRP6, 0x00, 0x0000)
            {
                Name (CRON, One)
                Method (_STA, 0, NotSerialized) { Return (CRON) }
                Method (_ON, 0, Serialized) { CRON = One   CRSW = 0x8D }
                Method (_OFF, 0, Serialized) { CRON = Zero   CRSW = 0x8C }
            }

            Name (_PR0, Package () { CRP6 })
            Name (_PR3, Package () { CRP6 })
        }
    }

    If (CondRefOf (\_SB.PCI0.S38))
    {
        Scope (\_SB.PCI0.S38)
        {
            PowerResource (CRP7, 0x00, 0x0000)
            {
                Name (CRON, One)
                Method (_STA, 0, NotSerialized) { Return (CRON) }
                Method (_ON, 0, Serialized) { CRON = One   CRSW = 0x8F }
                Method (_OFF, 0, Serialized) { CRON = Zero   CRSW = 0x8E }
            }

            Name (_PR0, Package () { CRP7 })
            Name (_PR3, Package () { CRP7 })
        }
    }

    If (CondRefOf (\_SB.PCI0.S40))
    {
        Scope (\_SB.PCI0.S40)
        {
            PowerResource (CRP8, 0x00, 0x0000)
            {
                Name (CRON, One)
                Method (_STA, 0, NotSerialized) { Return (CRON) }
                Method (_ON, 0, Serialized) { CRON = One   CRSW = 0x91 }
                Method (_OFF, 0, Serialized) { CRON = Zero   CRSW = 0x90 }
            }

            Name (_PR0, Package () { CRP8 })
            Name (_PR3, Package () { CRP8 })
        }
    }
}
