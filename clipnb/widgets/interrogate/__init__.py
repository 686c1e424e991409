"""The interrogation panel."""
